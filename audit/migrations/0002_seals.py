import audit.models
from django.db import migrations, models


BATCH = 2000


def give_salts(apps, schema_editor):
    """Entries of before get a salt each; the database gave all of them the same."""
    entries = apps.get_model("audit", "Entry").objects.using(schema_editor.connection.alias)
    last = None
    while True:
        page = entries.order_by("pk") if last is None else entries.filter(pk__gt=last).order_by("pk")
        batch = list(page.only("pk")[:BATCH])
        if not batch:
            return
        last = batch[-1].pk
        for entry in batch:
            entry.actor_proof = audit.models.new_salt()
            entry.subject_proof = audit.models.new_salt()
        entries.bulk_update(batch, ["actor_proof", "subject_proof"], batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.PositiveIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('by', models.CharField(max_length=255, verbose_name='by')),
                ('first_id', models.BigIntegerField(verbose_name='first entry')),
                ('last_id', models.BigIntegerField(verbose_name='last entry')),
                ('entries', models.PositiveIntegerField(verbose_name='entries')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('archive', models.CharField(blank=True, max_length=255, verbose_name='archive file')),
            ],
            options={
                'verbose_name': 'seal',
                'verbose_name_plural': 'seals',
            },
        ),
        migrations.AddField(
            model_name='entry',
            name='actor_proof',
            field=models.CharField(default=audit.models.new_salt, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='entry',
            name='subject_proof',
            field=models.CharField(default=audit.models.new_salt, editable=False, max_length=64),
        ),
        migrations.RunPython(give_salts, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='entry',
            name='action',
            field=models.CharField(choices=[('user.signed_in', 'Sign-in'), ('user.signed_out', 'Sign-out'), ('user.session_renewed', 'Session renewed'), ('user.registered', 'Person registered'), ('user.password_changed', 'Password changed'), ('user.status_changed', "Person's status changed"), ('contact.added', 'Contact added'), ('building.registered', 'Building registered'), ('block.registered', 'Block registered'), ('apartment.registered', 'Unit registered'), ('membership.started', 'Membership started'), ('membership.ended', 'Membership ended'), ('user.erased', 'Person erased'), ('audit.archived', 'Entries archived')], max_length=40, verbose_name='action'),
        ),
    ]
