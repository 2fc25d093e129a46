"""A file of declared rows comes in; a service that misbehaves by it, the same way every time, goes out."""
