"""The engine: pure functions over geometry, graphs, arrays and text. It opens no file and knows no database."""
