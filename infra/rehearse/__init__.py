"""The package, deployed to an emulated AWS on loopback that enforces IAM (`make rehearse`)."""
