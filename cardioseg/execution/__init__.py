"""Do work on items with one interface: in this process, in several, or on a cluster. Independent of cases."""
