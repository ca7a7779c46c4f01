"""Files from the network: fetched with resume, checked, and unpacked without trusting them."""
