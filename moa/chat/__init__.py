"""The service: owns runs and conversations; authorises, journals, commits and then tells."""
