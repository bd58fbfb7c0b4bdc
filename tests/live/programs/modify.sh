# What an operator types to change a database: AWS's command line and psql, no endpoint setting anywhere.
set -eu
await() { # NAME: available, and nothing pending
    until [ "$(aws rds describe-db-instances --db-instance-identifier "$1" --output text \
        --query 'DBInstances[0].[DBInstanceStatus,length(keys(PendingModifiedValues))]' 2>&1)" = "available	0" ]; do :; done
}
endpoint() { aws rds describe-db-instances --db-instance-identifier "$1" --output text --query "DBInstances[0].Endpoint.Address"; }
sql() { # NAME SQL
    PGPASSWORD=correct-horse psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
        --host "$(endpoint "$1")" --username somebody --dbname shop --command "$2"
}

aws sts get-caller-identity --output text --query Account
aws rds create-db-parameter-group --db-parameter-group-name ours --db-parameter-group-family postgres18 \
    --description ours --output text --query DBParameterGroup.DBParameterGroupName
aws rds modify-db-parameter-group --db-parameter-group-name ours --output text \
    --parameters ParameterName=work_mem,ParameterValue=5000,ApplyMethod=immediate
subnets=$(aws ec2 describe-subnets --query "Subnets[].SubnetId" --output text)
# shellcheck disable=SC2086
aws rds create-db-subnet-group --db-subnet-group-name net --db-subnet-group-description net --output text \
    --subnet-ids $subnets --query DBSubnetGroup.SubnetGroupStatus
aws rds create-db-instance --db-instance-identifier stock --engine postgres --db-name shop \
    --db-instance-class db.r6g.large --allocated-storage 20 --master-username somebody \
    --master-user-password correct-horse --db-parameter-group-name ours --db-subnet-group-name net \
    --tags Key=team,Value=shop --query DBInstance.DBInstanceStatus --output text
await stock
sql stock "create table said (word text); insert into said values ('kept'); show work_mem"
aws rds modify-db-instance --db-instance-identifier stock --multi-az --db-instance-class db.r6g.xlarge \
    --apply-immediately --query DBInstance.DBInstanceStatus --output text
await stock
aws rds modify-db-instance --db-instance-identifier stock --new-db-instance-identifier goods --apply-immediately \
    --query DBInstance.DBInstanceStatus --output text
await goods
sql goods 'select word from said'
arn=$(aws rds describe-db-instances --db-instance-identifier goods --output text --query 'DBInstances[0].DBInstanceArn')
aws rds add-tags-to-resource --resource-name "$arn" --tags Key=tier,Value=one
aws rds remove-tags-from-resource --resource-name "$arn" --tag-keys team
aws rds list-tags-for-resource --resource-name "$arn" --output text --query 'TagList[].[Key,Value]'
aws rds stop-db-instance --db-instance-identifier goods --query DBInstance.DBInstanceStatus --output text
until aws rds start-db-instance --db-instance-identifier goods --query DBInstance.DBInstanceStatus --output text 2>/dev/null
do :; done
await goods
sql goods 'select word from said'
aws rds delete-db-instance --db-instance-identifier goods --skip-final-snapshot --output text \
    --query DBInstance.DBInstanceStatus
while aws rds describe-db-instances --db-instance-identifier goods > /dev/null 2>&1; do :; done
aws rds delete-db-parameter-group --db-parameter-group-name ours
aws rds delete-db-subnet-group --db-subnet-group-name net
