"""Photos from phones: made anew from their pixels, so that position, device and time (EXIF) are gone.

What is refused is refused before it is decoded: a file of another kind, one that is too large, or a small file that
would unpack to a huge picture (a decompression bomb).
"""

from __future__ import annotations

import io
import warnings
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from gis.errors import InputError

#: Kinds read; what is kept is JPEG.
KINDS: Final = ("JPEG", "PNG", "WEBP")
LARGEST_BYTES: Final = 10 << 20
#: Brands of HEIF files. They are told apart from what is no photo at all, as people can do something about them.
_HEIC: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
#: 50 megapixels: the largest phones of today in full resolution.
LARGEST_PIXELS: Final = 50_000_000
#: Other kinds cannot be decoded at a fraction of their size, so that fewer pixels take as much memory.
LARGEST_UNSCALED: Final = 25_000_000
#: Longer side of what is kept, in pixels, and JPEG quality: enough to read a plate across a street.
SIDE: Final = 1600
QUALITY: Final = 80


def cleaned(photo: bytes) -> bytes:
    """The picture as a JPEG of at most ``SIDE`` pixels, upright, without any metadata.

    Raises InputError ``photo.too_large``, ``photo.kind`` (no picture of a known kind), ``photo.heic`` (a phone's own
    kind, which phones can turn into JPEG), ``photo.pixels`` or ``photo.damaged``.
    """
    if len(photo) > LARGEST_BYTES:
        raise InputError("photo.too_large", most=LARGEST_BYTES >> 20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which is thrown away
        try:
            image = Image.open(io.BytesIO(photo), formats=KINDS)
        except Image.DecompressionBombError:
            raise InputError("photo.pixels", most=LARGEST_PIXELS // 1_000_000) from None
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
            code = "photo.heic" if _is_heic(photo) else "photo.kind"
            raise InputError(code, known=", ".join(KINDS)) from None
        with image:
            most = LARGEST_PIXELS if image.format == "JPEG" else LARGEST_UNSCALED
            if image.width * image.height > most:
                raise InputError("photo.pixels", most=most // 1_000_000)
            return _anew(image)


def _is_heic(photo: bytes) -> bool:
    """Whether it is what iPhones and some others keep photos as (HEIF: HEVC or AV1 inside)."""
    return photo[4:8] == b"ftyp" and photo[8:12] in _HEIC


def _anew(image: Image.Image) -> bytes:
    try:
        image.draft("RGB", (SIDE, SIDE))  # JPEG: decoded at a fraction of its size
        if image.mode == "P":
            image = image.convert("RGBA")
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)  # before it is turned: no second large copy
        upright = ImageOps.exif_transpose(image)
        plain = Image.new("RGB", upright.size, "white")
        shown = upright.convert("RGBA")
        plain.paste(shown, mask=shown.getchannel("A"))
        out = io.BytesIO()
        plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError):
        raise InputError("photo.damaged") from None
    return out.getvalue()
