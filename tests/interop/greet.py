"""Sends greetings to a queue at a Redis server, or takes answers from one, and knows nothing of Paperflow.

python greet.py send URL KEY
python greet.py take URL KEY

A greeting is a CloudEvent in binary mode, once as JSON, once as Avro and once as Protobuf. `take` prints what
it has decoded, a line of JSON for each, with the body as hexadecimal digits.
"""

import io
import json
import sys

import fastavro
import redis
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

GREETING = {"name": "Zoë", "times": 3}
SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Greeting",
        "fields": [{"name": "name", "type": "string"}, {"name": "times", "type": "int"}],
    }
)


def protobuf_class():
    """The class of `message Greeting { string name = 1; int32 times = 2; }`."""
    file = descriptor_pb2.FileDescriptorProto(name="greeting.proto", syntax="proto3")
    message = file.message_type.add(name="Greeting")
    field = descriptor_pb2.FieldDescriptorProto
    optional = field.LABEL_OPTIONAL
    message.field.add(name="name", number=1, type=field.TYPE_STRING, label=optional)
    message.field.add(name="times", number=2, type=field.TYPE_INT32, label=optional)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Greeting"))


Greeting = protobuf_class()


def as_avro(greeting):
    body = io.BytesIO()
    fastavro.schemaless_writer(body, SCHEMA, greeting)
    return body.getvalue()


WRITERS = {
    "application/json": lambda greeting: json.dumps(greeting, ensure_ascii=False).encode(),
    "application/avro": as_avro,
    "application/protobuf": lambda greeting: Greeting(**greeting).SerializeToString(),
}


def from_protobuf(body):
    greeting = Greeting.FromString(body)
    return {"name": greeting.name, "times": greeting.times}


READERS = {
    "application/json": json.loads,
    "application/avro": lambda body: fastavro.schemaless_reader(io.BytesIO(body), SCHEMA),
    "application/protobuf": from_protobuf,
}


def send(server, key):
    for number, (content, write) in enumerate(WRITERS.items()):
        body = write(GREETING)
        server.xadd(
            key,
            {
                "ce_specversion": "1.0",
                "ce_id": str(number),
                "ce_source": "/python",
                "ce_type": "greeting",
                "ce_datacontenttype": content,
                "data": body,
            },
        )
        print(json.dumps({"content": content, "body": body.hex()}))


def told(fields):
    attributes = {
        name.decode()[3:]: value.decode()
        for name, value in fields.items()
        if name.startswith(b"ce_")
    }
    content, body = attributes["datacontenttype"], fields[b"data"]
    decoded = READERS[content](body)
    told = {"content": content, "type": attributes["type"], "decoded": decoded}
    return json.dumps({**told, "body": body.hex()}, ensure_ascii=False)


def take(server, key):
    """Reads as one more consumer of the queue: what it has printed is done, and leaves it."""
    left = len(WRITERS)
    while left > 0:
        found = server.xreadgroup("paperflow", "python", {key: ">"}, count=left, block=30_000)
        if not found:
            sys.exit(f"{left} greetings have not come")
        for entry, fields in found[0][1]:
            print(told(fields))
            server.xack(key, "paperflow", entry)
            server.xdel(key, entry)
            left -= 1


verb, url, key = sys.argv[1:]
{"send": send, "take": take}[verb](redis.Redis.from_url(url), key)
