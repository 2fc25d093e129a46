"""A service of one estate on loopback, as light as it can be, so that it is not what is measured."""
