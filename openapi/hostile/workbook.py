"""Reads with another program the workbooks that the server writes, and has the server read one that the other program wrote."""
import io
import json
import os
import sys
import urllib.request

import openpyxl

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def ask(path, body=None):
    """The answer of the server."""
    headers = {"Authorization": f"Bearer {os.environ['PROVIDER']}", "Content-Type": XLSX, "Prefer": "wait=60"}
    request = urllib.request.Request(f"http://{os.environ['DPS_LISTEN']}{path}", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def rows(workbook):
    """The rows of the sheet that is shown first."""
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(workbook)).active.iter_rows(values_only=True)]


template = ask("/v1/upload-templates/homes?format=xlsx")
book = openpyxl.load_workbook(io.BytesIO(template))
sheet = book.active
headings = [cell.value for cell in sheet[1]]
kind = headings.index("kind") + 1
sheet.cell(2, kind).value = "=castle"
# As text, and not as a formula: what the server writes back must not have become one.
sheet.cell(2, kind).data_type = "s"
changed = io.BytesIO()
book.save(changed)
upload = json.loads(ask("/v1/uploads/homes?mode=partial", changed.getvalue()))
written = ask(f"/v1/uploads/{upload['id']}/rejected")
refused = rows(written)
if refused[0][: len(headings)] != headings or len(refused) != 2 or refused[1][kind - 1] not in ["=castle", "'=castle"]:
    sys.exit(f"a workbook came back as another program does not expect it: {refused}")
formulas = [cell for row in openpyxl.load_workbook(io.BytesIO(written)).active.iter_rows() for cell in row if cell.data_type == "f"]
if formulas:
    sys.exit(f"a cell came back as a formula: {formulas}")
