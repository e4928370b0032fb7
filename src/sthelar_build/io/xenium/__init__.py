"""Reading a Xenium bundle: what differs between versions is resolved here and only here."""
