@class:database
Feature: Database failure
  The plan, section 3: "The primary database for a critical service fails. The service and its dependents are
  down. Failover to the multi-AZ standby replica in RDS [...] with minimal downtime."

  @scenario:primary_host_loses_power
  Scenario: The host of the primary database loses power
    Given users are served by the system in its steady state
    When the host of the database's primary loses power
    And users are served again
    And the host has its power back
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:primary_process_killed
  Scenario: The processes of the primary database are killed
    Given users are served by the system in its steady state
    When the processes of the database's primary are killed
    And users are served again
    And nothing of the killed processes is left
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:primary_process_hangs
  Scenario: The processes of the primary database hang
    Given users are served by the system in its steady state
    When the processes of the database's primary hang
    And users are served again
    And no process hangs any more
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:primary_zone_partitioned
  Scenario: The zone of the primary database is partitioned away, and both sides live
    Given users are served by the system in its steady state
    And a service beside the database's primary writes to its address
    When the zone of the database's primary is partitioned away
    And users are served again
    And the zone is connected again
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:standby_host_loses_power
  Scenario: The host of the standby loses power, and no user notices
    Given users are served by the system in its steady state
    When the host of the database's standby loses power
    And the database is protected again
    And users are served again
    And the host has its power back
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:primary_disk_full
  Scenario: The disk of the primary database is full
    Given users are served by the system in its steady state
    When the disk of the database's primary is full
    And users are not served any more
    And AWS says that the database is storage-full
    And the disk has space again
    And users are served again
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:both_hosts_lose_power
  Scenario: Both hosts of the database lose power within a minute
    Given users are served by the system in its steady state
    When both hosts of the database lose power
    And users are not served any more
    And both hosts have their power back
    And users are served again
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:primary_host_loses_power_at_peak
  Scenario: The host of the primary database loses power under heavy write load
    Given users are served by the system in its steady state at peak load
    When the host of the database's primary loses power
    And users are served again
    And the host has its power back
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:replica_promoted_across_regions
  Scenario: The database is lost in its region with a backlog, and its replica in the other region is promoted
    Given users are served by the system in its steady state
    And the database is replicated to the recovery region
    When the link between the regions delays
    And both hosts of the database lose power
    And users are not served any more
    And the operator promotes the replica in the recovery region
    And users are served again
    And both hosts have their power back
    And the link between the regions is as usual after it delayed
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:bad_delete
  Scenario: A bad statement deletes half of the payments, and the database is restored to before it
    Given users are served by the system in its steady state
    When a bad statement deletes half of the payments
    And the operator restores the database to the last second before it
    And the restored database takes the place of the damaged one
    And users are served again
    And the deleted payments are back
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And what was restored is what users had been told by then, row by row
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:drop_table
  Scenario: A bad statement drops the table of payments, and the database is restored to before it
    Given users are served by the system in its steady state
    When a bad statement drops the table of payments
    And the operator restores the database to the last second before it
    And the restored database takes the place of the damaged one
    And users are served again
    And the table of payments is back
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And what was restored is what users had been told by then, row by row
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:backup_lacks_rows
  Scenario: A backup that restores but lacks payments is caught by the restore test
    Given users are served by the system in its steady state
    When the operator takes a backup of the database
    And the backup is damaged so that it restores, and lacks payments
    And the operator restores the newest backup beside the database
    And the operator removes what was restored
    And the backup is as it was
    And users are served again
    And recovery is measured
    Then the drill is valid
    And the restore test found that the backup lacks payments, and which
    And the service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time

  @scenario:payments_database_lost_under_services
  Scenario: The host of the payments database's primary loses power under the company's services
    Given users are served by the system in its steady state
    When the host of the database's primary loses power
    And users are not served any more
    And users are served again
    And the host has its power back
    And the database is protected again
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
    And redundancy was back within its objective

  @scenario:users_database_lost_under_services
  Scenario: The host of the users database's primary loses power, and every service that needs it is down
    Given users are served by the system in its steady state
    When the host of the users database's primary loses power
    And users are not served any more
    And users are served again
    And the host of the users database has its power back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one server wrote at a time
