import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables that buildings made: this app owns them from now on."""

    initial = True

    dependencies = [
        ('buildings', '0003_quarantine'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='LegacyRow',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('table', models.CharField(max_length=40)),
                        ('key', models.CharField(max_length=80)),
                        ('record_id', models.BigIntegerField(null=True)),
                        ('imported', models.JSONField()),
                    ],
                    options={
                        'verbose_name': 'imported legacy row',
                        'verbose_name_plural': 'imported legacy rows',
                        'db_table': 'buildings_legacyrow',
                        'constraints': [models.UniqueConstraint(fields=('table', 'key'), name='legacy_row_once')],
                    },
                ),
                migrations.CreateModel(
                    name='QuarantinedRow',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('table', models.CharField(max_length=40, verbose_name='legacy table')),
                        ('key', models.CharField(max_length=80, verbose_name='legacy id')),
                        ('column', models.CharField(blank=True, help_text='Empty: the whole row.', max_length=64, verbose_name='column')),
                        ('reason', models.CharField(choices=[('id_unusable', 'Its id is not a positive whole number'), ('id_taken', 'Its id belongs to another record here'), ('not_phone', 'Not a phone number'), ('not_email', 'Not an e-mail address'), ('held', 'Held by somebody else'), ('own', 'The person has it already'), ('service', 'Belongs to a service'), ('no_person', 'Names no person that came in'), ('no_block', 'Names no block that came in'), ('no_place', 'Names a place that did not come in'), ('no_unit', 'Names a unit that did not come in'), ('unit_elsewhere', 'Names a unit of another block'), ('role_unknown', 'Unknown role'), ('status_unknown', 'Unknown status'), ('password_unknown', 'Not a password hash of the legacy server'), ('number_taken', 'The block has a unit of that number already'), ('out_of_range', 'Outside the range that the register holds'), ('too_long', 'Longer than the register holds; it was cut'), ('not_a_place', 'Not a longitude or latitude'), ('no_date', 'No date that can be read'), ('moved', 'Belongs to somebody or something else now; to be moved by hand'), ('changed_here', 'Changed here as well; the legacy change was not taken')], max_length=20, verbose_name='reason')),
                        ('source', models.JSONField(help_text='As it was read, without passwords and keys.', verbose_name='legacy row')),
                        ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='when')),
                    ],
                    options={
                        'verbose_name': 'quarantined legacy row',
                        'verbose_name_plural': 'quarantined legacy rows',
                        'db_table': 'buildings_quarantinedrow',
                        'constraints': [models.UniqueConstraint(fields=('table', 'key', 'column'), name='quarantined_once'), models.CheckConstraint(condition=models.Q(('reason__in', ['id_unusable', 'id_taken', 'not_phone', 'not_email', 'held', 'own', 'service', 'no_person', 'no_block', 'no_place', 'no_unit', 'unit_elsewhere', 'role_unknown', 'status_unknown', 'password_unknown', 'number_taken', 'out_of_range', 'too_long', 'not_a_place', 'no_date', 'moved', 'changed_here'])), name='quarantine_reason_known')],
                    },
                ),
            ],
        ),
    ]
