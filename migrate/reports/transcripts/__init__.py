"""Transcripts as files: a site of HTML pages, Markdown, and JSONL of chat messages."""
