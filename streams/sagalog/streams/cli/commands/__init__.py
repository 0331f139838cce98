"""The commands as they are typed: arguments, options and help. What they do stands beside."""
