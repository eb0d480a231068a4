from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('races', '0007_answers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='answer',
            name='words',
            field=models.CharField(blank=True, max_length=500),
        ),
    ]
