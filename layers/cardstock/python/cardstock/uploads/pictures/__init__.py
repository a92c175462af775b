"""Pictures that strangers sent: decoded in a process of its own (`decode`), which `process` starts and bounds."""
