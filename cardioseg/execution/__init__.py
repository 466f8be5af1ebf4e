"""Work is done on items: in this process, in several, or on a cluster, by one interface. It knows nothing of cases."""
