# Read metrics as Prometheus does: text on standard input, JSON on standard output.
import json
import sys

from prometheus_client.parser import text_string_to_metric_families

families = text_string_to_metric_families(sys.stdin.read())
print(
    json.dumps(
        [
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "samples": [
                    {"name": sample.name, "labels": sample.labels, "value": str(sample.value)}
                    for sample in family.samples
                ],
            }
            for family in families
        ]
    )
)
