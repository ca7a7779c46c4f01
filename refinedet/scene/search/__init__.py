"""Search of a scene: its windows in one polarisation or two, the journal of the finished ones, and notes."""
