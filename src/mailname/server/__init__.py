"""The name server: sockets, timers, state on disk, control socket; and the network it speaks through."""
