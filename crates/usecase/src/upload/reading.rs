//! Reading faults: what the readers of tables and of the regulator's list find wrong with a file or a row, by the codes
//! that they give it: so that `/problems/{code}` explains those too. The readers themselves know nothing of this API.

domain::rules! {
    UNSUPPORTED_FORMAT = "unsupported_format", Input, "CRD-07", "A file is CSV, NDJSON, or a workbook in XLSX or ODS without a password.";
    UNSUPPORTED_ENCODING = "unsupported_encoding", Input, "CRD-07", "A text file is in UTF-8, Windows-1252 or Mac Roman.";
    NOT_TEXT = "not_text", Input, "CRD-07", "A CSV or NDJSON file is text.";
    CUT_OFF = "cut_off", Input, "CRD-07", "A file is sent whole.";
    UNCLOSED_QUOTE = "unclosed_quote", Input, "CRD-07", "Quotation marks that open around a value close behind it.";
    NOT_XLSX = "not_xlsx", Input, "CRD-07", "A ZIP archive is taken where it is an XLSX workbook.";
    BAD_XLSX = "bad_xlsx", Input, "CRD-07", "A workbook is whole, and built as workbooks are.";
    INFLATED_TOO_LARGE = "inflated_too_large", Input, "CRD-07", "A workbook stays within its limit when it is unpacked.";
    NOT_ODS = "not_ods", Input, "CRD-07", "An OpenDocument file is taken where it is an ODS spreadsheet.";
    BAD_ODS = "bad_ods", Input, "CRD-07", "A spreadsheet is whole, and built as spreadsheets are.";
    NO_HEADINGS = "no_headings", Input, "CRD-07", "A file has a row of headings among its first rows.";
    MISSING_HEADING = "missing_heading", Input, "CRD-07", "The regulator's list has the headings of one of its known years.";
    DUPLICATE_HEADING = "duplicate_heading", Input, "CRD-07", "A known heading stands over one column.";
    TOO_MANY_COLUMNS = "too_many_columns", Input, "CRD-07", "A file has at most 256 columns.";
    TOO_MANY_ROWS = "too_many_rows", Input, "CRD-07", "A file has no more rows than this server accepts.";
    TOO_MANY_ERRORS = "too_many_errors", Input, "CRD-07", "A list with very many faults is not read to its end.";
    RAGGED_ROW = "ragged_row", Input, "CRD-07", "A row has a cell for each heading, and a heading over each value.";
    LONG_CELL = "long_cell", Input, "CRD-07", "A cell is no longer than a text may be.";
    LONG_ROW = "long_row", Input, "CRD-07", "The cells of a row, or a line of NDJSON, have at most a megabyte together.";
    BAD_ENCODING = "bad_encoding", Input, "CRD-07", "A row is in the encoding of its file.";
    BAD_CHARACTER = "bad_character", Input, "CRD-07", "A value has no character that text cannot have.";
    BAD_QUOTES = "bad_quotes", Input, "CRD-07", "Quotation marks stand around a whole value, and are doubled within it.";
    BAD_JSON = "bad_json", Input, "CRD-07", "A line of NDJSON is one JSON object.";
    NOT_AN_OBJECT = "not_an_object", Input, "CRD-07", "A line of NDJSON is an object, and not another value.";
    NESTED_VALUE = "nested_value", Input, "CRD-07", "A field of an NDJSON object is text, a number, true, false or null.";
    DUPLICATE_KEY = "duplicate_key", Input, "CRD-07", "An NDJSON object has a field once.";
    FORMULA_CELL = "formula_cell", Input, "CRD-07", "A cell has a value and no formula, whose value depends on when it was calculated.";
    ERROR_CELL = "error_cell", Input, "CRD-07", "A cell has a value, and not a spreadsheet's error.";
    INEXACT_NUMBER = "inexact_number", Input, "CRD-07", "A number in a workbook has at most 15 digits, which spreadsheets keep exactly.";
    CURRENCY_CELL = "currency_cell", Input, "PRC-08", "An amount of money in a workbook is in pounds, or in whole pence as a plain number.";
    BAD_DATE = "bad_date", Input, "CRD-07", "A cell that is shown as a date holds one.";
    BAD_URN = "bad_urn", Input, "CRD-07", "The regulator's number of a home is written as the regulator writes it.";
    DUPLICATE_URN = "duplicate_urn", Input, "CRD-07", "A home stands once in the regulator's list.";
    UNKNOWN_RATING = "unknown_rating", Input, "CRD-07", "A rating is one that the regulator gives.";
}
