"""Plates with reportlab and its own QR: 270×170 mm, blue ground, two lines. Prints JSON."""

import csv
import json
import sys
import time
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

folder = Path(sys.argv[1])
with (folder / "plates.csv").open(encoding="utf-8") as source:
    rows = list(csv.reader(source))
began = time.process_time()
pdfmetrics.registerFont(TTFont("plate", str(folder / "plates.ttf")))
out = BytesIO()
canvas = Canvas(out, pagesize=(270 * mm, 170 * mm))
for name, number, code, url in rows:
    canvas.setFillColorRGB(0, 0.275, 0.62)
    canvas.rect(0, 0, 270 * mm, 170 * mm, stroke=0, fill=1)
    canvas.setFillColorRGB(1, 1, 1)
    for size, x, y, text in ((100, 30, 120, name), (200, 25, 25, number), (20, 180, 12, code)):
        canvas.setFont("plate", size)
        canvas.drawString(x * mm, y * mm, text)
    canvas.rect(180 * mm, 25 * mm, 75 * mm, 75 * mm, stroke=0, fill=1)
    drawing = Drawing(75 * mm, 75 * mm)
    drawing.add(QrCodeWidget(url, barLevel="Q", barWidth=75 * mm, barHeight=75 * mm))
    renderPDF.draw(drawing, canvas, 180 * mm, 25 * mm)
    canvas.showPage()
canvas.save()
spent = time.process_time() - began
print(
    json.dumps(
        {
            "version": version("reportlab"),
            "per_second": round(len(rows) / spent, 1),
            "bytes_each": len(out.getvalue()) // len(rows),
        }
    )
)
