"""Primary, secondary, NOTIFY and AXFR as pure state: events and the time in, actions out."""
