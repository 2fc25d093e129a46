"""Pieces of pages that `serve` and the transcripts as HTML share: conversations, Markdown, their style."""
