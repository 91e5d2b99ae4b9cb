"""The page: every domain's verdict, its cause and the line to type, the map, servers, transfers and traffic, in a browser."""
