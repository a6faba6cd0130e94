"""What the tests of all services share: real servers, and fixtures over them."""
