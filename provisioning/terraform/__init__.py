"""The same lab for those who live in Terraform: written from the lists that the commands use."""
