# What an operator types: AWS's command line and psql, no endpoint setting anywhere.
set -eu
describe() {
    aws rds describe-db-instances --db-instance-identifier orders --output text --query "DBInstances[0].$1"
}
sql() {
    PGPASSWORD=correct-horse psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
        --host "$endpoint" --username somebody --dbname shop --command "$1"
}

aws rds create-db-instance --db-instance-identifier orders --multi-az --engine postgres --db-name shop \
    --db-instance-class db.r6g.large --allocated-storage 20 --master-username somebody \
    --master-user-password correct-horse --query DBInstance.DBInstanceStatus --output text
aws rds wait db-instance-available --db-instance-identifier orders
endpoint=$(describe Endpoint.Address)
sql 'create table said (word text not null)'
sql "insert into said values ('before')"
echo "zones: $(describe '[AvailabilityZone,SecondaryAvailabilityZone]') server: $(sql 'select inet_server_addr()')"

aws rds reboot-db-instance --db-instance-identifier orders --force-failover \
    --query DBInstance.DBInstanceStatus --output text
aws rds wait db-instance-available --db-instance-identifier orders
sql "insert into said values ('after')"
echo "words: $(sql 'select word from said' | tr '\n' ' ')"
echo "zones: $(describe '[AvailabilityZone]') server: $(sql 'select inet_server_addr()')"
aws rds describe-events --source-type db-instance --source-identifier orders --event-categories failover \
    --query 'Events[].Message' --output text
