"""The scheduler: campaigns and messages, the delay queue, and who may send what when."""
