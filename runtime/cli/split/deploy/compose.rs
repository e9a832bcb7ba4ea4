//! A Compose file.

use serde_json::{Map, Value as Json, json};

use super::{Deployment, GRACE, MEMORY_MEGABYTES, PORT, PROCESSORS, Paths, Service, Written, yaml};

pub(super) fn file(deployment: &Deployment) -> Written {
    let services: Map<String, Json> = deployment
        .services
        .iter()
        .map(|one| (one.name.clone(), service(deployment, one)))
        .collect();
    let keeping = deployment.services.iter().filter(|one| one.keeps);
    let volumes: Map<String, Json> = keeping.map(|one| (volume(one), json!({}))).collect();
    let mut whole = json!({ "name": deployment.name, "services": services });
    if !volumes.is_empty() {
        whole["volumes"] = Json::Object(volumes);
    }
    let about = "# The folder of the graph is this one, unless GRAPH_FOLDER names another.\n";
    (
        String::from("compose.yaml"),
        format!("{about}{}", yaml::text(&whole)),
    )
}

fn volume(service: &Service) -> String {
    format!("{}-data", service.name)
}

fn service(deployment: &Deployment, service: &Service) -> Json {
    let paths = Paths {
        graph: "/graph",
        data: "/data",
        copy: None,
        health: format!("0.0.0.0:{PORT}"),
    };
    let variables = deployment.variables.iter();
    let needed = |name: &String| (name.clone(), json!(format!("${{{name}:?where is it}}")));
    let environment: Map<String, Json> = variables.map(needed).collect();
    let mut mounts = vec![json!("${GRAPH_FOLDER:-.}:/graph:ro")];
    if service.keeps {
        mounts.push(json!(format!("{}:/data", volume(service))));
    }
    let health = ["CMD", "paperflow", "health", "--ready"];
    let mut asked: Vec<String> = health.iter().map(|word| (*word).to_owned()).collect();
    asked.push(format!("127.0.0.1:{PORT}"));
    json!({
        "image": deployment.image,
        "command": deployment.arguments(service, &paths),
        "environment": environment,
        "volumes": mounts,
        "restart": "on-failure",
        "stop_grace_period": format!("{GRACE}s"),
        "healthcheck": {
            "test": asked,
            "interval": "10s",
            "timeout": "5s",
            "retries": 3,
            "start_period": "10s",
        },
        "read_only": true,
        "tmpfs": ["/tmp"],
        "deploy": { "resources": { "limits": {
            "cpus": PROCESSORS,
            "memory": format!("{MEMORY_MEGABYTES}M"),
        } } },
        "labels": {
            "paperflow.in": service.inports.join(","),
            "paperflow.out": service.outports.join(","),
        },
    })
}
