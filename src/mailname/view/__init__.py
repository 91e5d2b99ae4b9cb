"""What is told of a verdict in words and drawings, the same on a terminal, in the page and in the file that is sent."""
