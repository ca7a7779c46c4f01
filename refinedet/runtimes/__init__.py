"""The detector outside of torch: exported files, the engines that run them, and a cache of both."""
