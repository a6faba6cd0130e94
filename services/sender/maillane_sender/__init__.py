"""The sender: asks the scheduler for messages, sends them by SMTP, and reports what became of them."""
