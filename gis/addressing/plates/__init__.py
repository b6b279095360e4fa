"""Door plates: layout, vector PDF and pictures, and the proof that every QR reads back."""
