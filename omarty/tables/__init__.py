"""Tables that come in and go out: CSV, XLSX and JSON lines. Knows no model and no command."""
