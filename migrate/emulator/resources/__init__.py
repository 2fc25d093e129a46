"""What the services hold, one file per kind: checked calls come in, answers in the recorded shapes go out."""
