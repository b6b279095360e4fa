"""A county town of our own making: the same seed and size give the same town, street by street."""

from data.samples.town.generate import make_town
from data.samples.town.model import Town

__all__ = ["Town", "make_town"]
