"""The objects of the services, one file per kind; answers have the recorded shapes."""
