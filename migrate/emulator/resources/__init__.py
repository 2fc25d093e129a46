"""The objects of the services, one file for each kind; answers have the recorded shapes."""
