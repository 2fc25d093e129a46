"""Tools that let an assistant read an archive, over the Model Context Protocol."""
