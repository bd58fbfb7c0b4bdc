# What an operator types: AWS's command line through snapshots, copies and restores, no endpoint setting anywhere.
set -eu
sql() {
    PGPASSWORD=correct-horse psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
        --host "$1" --username somebody --dbname shop --command "$2"
}
endpoint() {
    aws rds describe-db-instances "$@" --output text --query "DBInstances[0].Endpoint.Address"
}

aws rds create-db-instance --db-instance-identifier books --engine postgres --db-name shop --backup-retention-period 1 \
    --db-instance-class db.r6g.large --allocated-storage 20 --master-username somebody \
    --master-user-password correct-horse --query DBInstance.DBInstanceStatus --output text
aws rds wait db-instance-available --db-instance-identifier books
sql "$(endpoint --db-instance-identifier books)" "create table said (word text); insert into said values ('kept')"

aws rds create-db-snapshot --db-snapshot-identifier shelf --db-instance-identifier books \
    --query DBSnapshot.Status --output text
aws rds wait db-snapshot-available --db-snapshot-identifier shelf
aws rds wait db-snapshot-completed --db-snapshot-identifier shelf
arn=$(aws rds describe-db-snapshots --snapshot-type manual --output text --query 'DBSnapshots[0].DBSnapshotArn')
aws rds copy-db-snapshot --region eu-central-1 --source-region eu-west-1 --source-db-snapshot-identifier "$arn" \
    --target-db-snapshot-identifier shelf-away --query DBSnapshot.SourceRegion --output text
aws rds wait db-snapshot-available --region eu-central-1 --db-snapshot-identifier shelf-away

aws rds restore-db-instance-from-db-snapshot --region eu-central-1 --db-instance-identifier books-away \
    --db-snapshot-identifier shelf-away --query DBInstance.DBInstanceStatus --output text
aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier books \
    --target-db-instance-identifier books-again --use-latest-restorable-time \
    --query DBInstance.DBInstanceStatus --output text
aws rds wait db-instance-available --region eu-central-1 --db-instance-identifier books-away
aws rds wait db-instance-available --db-instance-identifier books-again
echo "away: $(sql "$(endpoint --region eu-central-1 --db-instance-identifier books-away)" 'select word from said')"
echo "again: $(sql "$(endpoint --db-instance-identifier books-again)" 'select word from said')"

aws rds describe-db-instance-automated-backups --db-instance-identifier books --output text \
    --query 'DBInstanceAutomatedBackups[].Status'
aws rds delete-db-snapshot --db-snapshot-identifier shelf --query DBSnapshot.Status --output text
aws rds wait db-snapshot-deleted --db-snapshot-identifier shelf
aws rds delete-db-instance --db-instance-identifier books --final-db-snapshot-identifier last \
    --query DBInstance.DBInstanceStatus --output text
aws rds wait db-instance-deleted --db-instance-identifier books
aws rds describe-db-snapshots --db-instance-identifier books --output text --query 'DBSnapshots[].DBSnapshotIdentifier'
