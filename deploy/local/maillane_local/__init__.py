"""Runs the whole system on one machine: real servers, all services, and a mail catcher."""
