"""The application of the provisioning commands. It has no tables."""

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Confluent Cloud"
