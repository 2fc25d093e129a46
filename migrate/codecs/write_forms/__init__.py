"""What a service takes in the body of a request, declared: a value in, every place where it does not fit."""
