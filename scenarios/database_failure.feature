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
