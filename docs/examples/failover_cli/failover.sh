#!/usr/bin/env bash
#
# Fails Meqenet over from eu-west-1 to eu-central-1. Run it when eu-west-1 is lost.
# Needs: aws, curl. Takes no arguments. Can be run again.
set -euo pipefail

export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1 AWS_PAGER=""

CLUSTER=meqenet
NODEGROUP=services
NODES=3
CI=http://ci.internal
PUBLIC_ZONE=meqenet.et
PUBLIC_NAME=api.meqenet.et
INTERNAL_ZONE=meqenet.internal
STATUS_BUCKET=meqenet-status
WRITER_BUCKET=meqenet-writer
WRITER_REGION=us-east-1

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

log() { echo "$(date -u +%H:%M:%S) $*"; }

zone_id() {
  aws route53 list-hosted-zones-by-name --dns-name "$1" --query 'HostedZones[0].Id' --output text
}

# change ZONE: applies $tmp/batch.json and waits until it is everywhere
change() {
  local id
  id=$(aws route53 change-resource-record-sets --hosted-zone-id "$(zone_id "$1")" \
    --change-batch "file://$tmp/batch.json" --query ChangeInfo.Id --output text)
  aws route53 wait resource-record-sets-changed --id "$id"
}

# tell TEXT: puts a notice on the status page
tell() {
  cat > "$tmp/index.html" <<HTML
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Meqenet status</title></head>
<body><h1>Meqenet status</h1><p>$1</p><p>$(date -u +'%F %H:%M') UTC</p></body></html>
HTML
  aws s3api put-object --bucket "$STATUS_BUCKET" --key index.html --body "$tmp/index.html" \
    --content-type 'text/html; charset=utf-8' --cache-control max-age=15 > /dev/null
}

# publish BUCKET REGION: lets everybody read a bucket
publish() {
  aws s3api put-public-access-block --region "$2" --bucket "$1" --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=false
  cat > "$tmp/policy.json" <<JSON
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
 "Resource": "arn:aws:s3:::$1/*"}]}
JSON
  aws s3api put-bucket-policy --region "$2" --bucket "$1" --policy "file://$tmp/policy.json"
}

open_buckets() {
  aws s3api create-bucket --bucket "$STATUS_BUCKET" \
    --create-bucket-configuration "LocationConstraint=$AWS_REGION" > /dev/null 2>&1 || true
  publish "$STATUS_BUCKET" "$AWS_REGION"
  aws s3api create-bucket --region "$WRITER_REGION" --bucket "$WRITER_BUCKET" > /dev/null 2>&1 || true
  publish "$WRITER_BUCKET" "$WRITER_REGION"
}

# name_writer BUCKET REGION: services of both regions read there which one writes
name_writer() {
  echo "{\"region\": \"$AWS_REGION\", \"since\": \"$(date -u +%FT%TZ)\"}" > "$tmp/writer"
  aws s3api put-object --region "$2" --bucket "$1" --key writer --body "$tmp/writer" \
    --content-type application/json --cache-control no-store > /dev/null
}

# point DATABASE: lets the database's name lead to what was its replica
point() {
  local endpoint
  endpoint=$(aws rds describe-db-instances --db-instance-identifier "$1-recovery" \
    --query 'DBInstances[0].Endpoint.Address' --output text)
  cat > "$tmp/batch.json" <<JSON
{"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
  "Name": "$1-database.$INTERNAL_ZONE", "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "$endpoint"}]}}]}
JSON
  change "$INTERNAL_ZONE"
  log "$1-database.$INTERNAL_ZONE -> $endpoint"
}

# record SET WEIGHT: the public name's record of a region, with another weight
record() {
  aws route53 list-resource-record-sets --hosted-zone-id "$(zone_id "$PUBLIC_ZONE")" --output json \
    --query "ResourceRecordSets[?Name=='$PUBLIC_NAME.' && Type=='A' && SetIdentifier=='$1'] | [0]" |
    sed -E "s/\"Weight\": [0-9]+/\"Weight\": $2/"
}

log "1. status page, and which region writes"
open_buckets
tell "One of our two regions is lost, and we are moving everything to the other one."
name_writer "$STATUS_BUCKET" "$AWS_REGION"
name_writer "$WRITER_BUCKET" "$WRITER_REGION"
sleep 12 # until then a service of the lost region that nobody reaches may write: its lease is 10 s

log "2. databases"
for database in payments users; do
  aws rds promote-read-replica --db-instance-identifier "$database-recovery" > /dev/null ||
    log "$database-recovery: promoted before?"
done
for database in payments users; do
  aws rds wait db-instance-available --db-instance-identifier "$database-recovery"
  point "$database"
done

log "3. nodes"
aws eks update-nodegroup-config --cluster-name "$CLUSTER" --nodegroup-name "$NODEGROUP" \
  --scaling-config "minSize=$NODES,desiredSize=$NODES,maxSize=9" > /dev/null
aws eks wait nodegroup-active --cluster-name "$CLUSTER" --nodegroup-name "$NODEGROUP"

log "4. services"
curl --silent --show-error --fail --max-time 660 --output /dev/null --data @- "$CI/deploy" <<JSON
{"repository": "system", "revision": "main", "path": "overlays/recovery-critical",
 "cluster": "$CLUSTER.$AWS_REGION", "within_seconds": 600}
JSON
for service in auth users payments; do
  group=$(aws elbv2 describe-target-groups --names "$service" \
    --query 'TargetGroups[0].TargetGroupArn' --output text)
  aws elbv2 wait target-in-service --target-group-arn "$group"
  log "$service serves"
done

log "5. traffic"
cat > "$tmp/batch.json" <<JSON
{"Comment": "failover", "Changes": [
  {"Action": "UPSERT", "ResourceRecordSet": $(record recovery 100)},
  {"Action": "UPSERT", "ResourceRecordSet": $(record primary 0)}]}
JSON
change "$PUBLIC_ZONE"

tell "Payments and log-ins work again. If a payment of the last hours is missing, please tell us."
log "done: all services run in $AWS_REGION"
