"""What is measured, one idea a file: each takes sizes, results and a folder for what it writes."""
