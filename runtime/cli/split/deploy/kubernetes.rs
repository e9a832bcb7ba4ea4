//! Manifests for Kubernetes.
//!
//! A part that keeps something of its own is a stateful set, with a volume that stays; any other is a
//! deployment, of which there may be several copies.

use serde_json::{Map, Value as Json, json};

use super::{Deployment, GRACE, MEMORY_MEGABYTES, PORT, Paths, Service, Written, yaml};

/// Where the volume of a part is.
const DATA: &str = "/data";

pub(super) fn file(deployment: &Deployment) -> Written {
    let mut documents = vec![files(deployment)];
    for service in &deployment.services {
        if service.keeps {
            documents.push(front(deployment, service));
        }
        documents.push(workload(deployment, service));
    }
    let texts: Vec<String> = documents.iter().map(yaml::text).collect();
    let about = match deployment.variables.is_empty() {
        true => String::new(),
        false => format!(
            "# The secret `{}` must have {}.\n",
            secret(deployment),
            deployment
                .variables
                .iter()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    (
        String::from("kubernetes.yaml"),
        about + &texts.join("---\n"),
    )
}

fn secret(deployment: &Deployment) -> String {
    format!("{}-stores", deployment.name)
}

/// The graph and what it is read from. A key cannot be a path.
fn files(deployment: &Deployment) -> Json {
    let data = deployment.files.iter();
    let data: Map<String, Json> = data.map(|(name, text)| (key(name), json!(text))).collect();
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": format!("{}-graph", deployment.name) },
        "data": data,
    })
}

fn key(path: &str) -> String {
    path.replace('/', "__")
}

fn full_name(deployment: &Deployment, service: &Service) -> String {
    match service.name == deployment.name {
        true => deployment.name.clone(),
        false => format!("{}-{}", deployment.name, service.name),
    }
}

fn labels(deployment: &Deployment, service: &Service) -> Json {
    json!({
        "app.kubernetes.io/name": deployment.name,
        "app.kubernetes.io/component": service.name,
    })
}

/// A stateful set has a service that gives its pods their names.
fn front(deployment: &Deployment, service: &Service) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": full_name(deployment, service) },
        "spec": {
            "clusterIP": "None",
            "selector": labels(deployment, service),
            "ports": [{ "name": "health", "port": PORT }],
        },
    })
}

fn workload(deployment: &Deployment, service: &Service) -> Json {
    let name = full_name(deployment, service);
    let labels = labels(deployment, service);
    let mut spec = json!({
        "replicas": 1,
        "selector": { "matchLabels": labels },
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": {
                    "paperflow/in": service.inports.join(","),
                    "paperflow/out": service.outports.join(","),
                },
            },
            "spec": pod(deployment, service),
        },
    });
    if service.keeps {
        spec["serviceName"] = json!(name);
        spec["volumeClaimTemplates"] = json!([{
            "metadata": { "name": "data" },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "1Gi" } },
            },
        }]);
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": if service.keeps { "StatefulSet" } else { "Deployment" },
        "metadata": { "name": name, "labels": labels },
        "spec": spec,
    })
}

fn pod(deployment: &Deployment, service: &Service) -> Json {
    let items = deployment.files.iter();
    let items = items.map(|(name, _)| json!({ "key": key(name), "path": name }));
    let graph = json!({
        "name": "graph",
        "configMap": {
            "name": format!("{}-graph", deployment.name),
            "items": items.collect::<Vec<_>>(),
        },
    });
    let mut volumes = vec![graph];
    if !service.keeps {
        volumes.push(json!({ "name": "data", "emptyDir": {} }));
    }
    json!({
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": { "runAsNonRoot": true, "runAsUser": 65532, "fsGroup": 65532 },
        "containers": [container(deployment, service)],
        "volumes": volumes,
    })
}

fn container(deployment: &Deployment, service: &Service) -> Json {
    let paths = Paths {
        graph: "/graph",
        data: DATA,
        // What keeps tables runs once: a second one would take its place.
        copy: (!service.keeps).then_some("$(POD_NAME)"),
        health: format!("0.0.0.0:{PORT}"),
    };
    let pod_name = json!({
        "name": "POD_NAME",
        "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } },
    });
    let from_secret = |name: &String| {
        json!({
            "name": name,
            "valueFrom": { "secretKeyRef": { "name": secret(deployment), "key": name } },
        })
    };
    let mut environment = match service.keeps {
        true => Vec::new(),
        false => vec![pod_name],
    };
    environment.extend(deployment.variables.iter().map(from_secret));
    let probe = |path: &str| {
        json!({
            "httpGet": { "path": path, "port": "health" },
            "periodSeconds": 10,
            "timeoutSeconds": 5,
        })
    };
    json!({
        "name": "paperflow",
        "image": deployment.image,
        "args": deployment.arguments(service, &paths),
        "env": environment,
        "ports": [{ "name": "health", "containerPort": PORT }],
        "livenessProbe": probe("/live"),
        "readinessProbe": probe("/ready"),
        "resources": {
            "requests": { "cpu": "100m", "memory": "64Mi" },
            "limits": { "cpu": "1", "memory": format!("{MEMORY_MEGABYTES}Mi") },
        },
        "securityContext": { "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false },
        "volumeMounts": [
            { "name": "graph", "mountPath": "/graph", "readOnly": true },
            { "name": "data", "mountPath": DATA },
        ],
    })
}
