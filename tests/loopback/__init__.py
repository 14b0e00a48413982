"""Image APIs on the loopback: real sockets, a corpus of works as data, and each API's traps."""
