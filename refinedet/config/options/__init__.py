"""Options of the commands that detect, serve, match and train: settings with the help text of each."""
