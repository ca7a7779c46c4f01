"""Questions to the data set of many scenes: what stands still, and how many ships are where."""
