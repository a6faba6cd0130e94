"""When messages leave, as arithmetic over hours: no I/O, no clock, and no walk over messages."""
