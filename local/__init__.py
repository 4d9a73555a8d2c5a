"""The local stack: the emulator, the deployment to it, the lab and the demo."""
